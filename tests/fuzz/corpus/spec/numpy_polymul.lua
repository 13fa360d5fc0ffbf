-- Multiplies polynomials: their coefficients, convolved. The input is one, the kernel the other.
--
-- >>> y = np.polymul(x, [1, -3, 2])

return convc.conv {
    input = { 1, 1, 6 },
    weights = { 1, -3, 2 },
    flip = true,
    padding = "full",
}
