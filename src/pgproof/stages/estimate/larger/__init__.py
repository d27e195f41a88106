"""What a shadow says of changes larger than an index: materialised views and partitions."""
