"""What a million events cost on AWS."""
