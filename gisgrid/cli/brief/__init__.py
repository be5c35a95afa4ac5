"""`gisgrid brief`: what a sub-district or a community has to know of a week."""
