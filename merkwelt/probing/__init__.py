"""What a trained run has learned: everything measured on a rendered data set with truth."""
