-- scipy.ndimage.sobel, prewitt and laplace.
--
-- FILTER: sobel_x | sobel_y | prewitt_x | prewitt_y | laplacian
-- >>> y = {"sobel_x": lambda: ndimage.sobel(x, 1), "sobel_y": lambda: ndimage.sobel(x, 0),
-- ...      "prewitt_x": lambda: ndimage.prewitt(x, 1), "prewitt_y": lambda: ndimage.prewitt(x, 0),
-- ...      "laplacian": lambda: ndimage.laplace(x)}[FILTER]()

return convc.conv {
    input = { 1, 1, 20, 33 },
    weights = convc.filters[convc.param("FILTER", "sobel_x")],
    padding = "same",
    padding_mode = "symmetric",
}
