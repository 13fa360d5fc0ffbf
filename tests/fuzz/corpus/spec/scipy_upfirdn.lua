-- Filters and keeps every third value, without computing the others.
--
-- >>> y = signal.upfirdn([1, 3, 3, 1], x, down=3)

return convc.conv {
    input = { 1, 1, 64 },
    weights = { 1, 3, 3, 1 },
    flip = true,
    stride = 3,
    padding = "full",
}
