"""ItemContentEncoder: what is written about an item, as a vector of a pretrained BERT."""
