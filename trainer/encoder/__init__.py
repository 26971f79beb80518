"""The encoder: item table, event towers of transformer blocks, the bonus for own items."""
