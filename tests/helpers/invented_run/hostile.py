"""Text that a page must not take for its own."""

HOSTILE = "<script>alert('x')</script> & \"Söhne\" soda, 12 × 355 ml"
