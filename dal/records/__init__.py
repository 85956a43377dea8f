"""Records: what rows become, what callers give, and the small values that go with them."""
