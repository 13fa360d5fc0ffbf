-- What every value adds to the one before it.
--
-- >>> y = np.diff(x)

return convc.conv {
    input = { 1, 1, 50 },
    weights = { -1, 1 },
}
