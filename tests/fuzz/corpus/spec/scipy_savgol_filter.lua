-- Smooths a signal by polynomials of degree 3 through 9 values each, or, with ORDER, gives the
-- derivative of theirs.
--
-- ORDER: 0 | 1 | 2
-- MODE: mirror | nearest | wrap | constant
-- >>> y = signal.savgol_filter(x, 9, 3, deriv=ORDER, mode=MODE)

local border = { mirror = "reflect", nearest = "replicate", wrap = "circular", constant = "zeros" }

return convc.conv {
    input = { 1, 1, 60 },
    weights = convc.filters.savgol(9, 3, convc.param("ORDER", 0)),
    padding = "same",
    padding_mode = border[convc.param("MODE", "nearest")],
}
