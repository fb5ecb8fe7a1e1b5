"""What is left of a closed account is erased: here, and in what orders say of the person."""
