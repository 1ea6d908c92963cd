"""Networks that can be scored."""
