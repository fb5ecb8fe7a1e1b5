"""A part of the lake to take along: whole orders and visits, nobody to be recognised in it."""
