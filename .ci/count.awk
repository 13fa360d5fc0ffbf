# Counts in ctest's LastTest.log, as "passed failed". A test that counts its own facts (cmocka's
# summary, or a line "N passed, N failed") brings its count; any other is one. A test whose program
# is missing is logged with an empty command and called passed.

function close_test() {
    if (bad && f == 0) f = 1
    if (open && !bad && !counted) p = 1
    passed += p; failed += f
    open = bad = counted = p = f = 0
}

/^[0-9]+\/[0-9]+ Testing: / { close_test(); open = 1 }
/^\[  PASSED  \] [0-9]+ test\(s\)/ { p += $4; counted = 1 }
/^\[  FAILED  \] [0-9]+ test\(s\)/ { f += $4; counted = 1 }
/^[0-9]+ passed, [0-9]+ failed$/ { p += $1; f += $3; counted = 1 }
/^Test Failed/ || /^Command: ""$/ { bad = 1 }

END { close_test(); print passed + 0, failed + 0 }
