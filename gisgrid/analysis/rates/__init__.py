"""How many per resident, per km², per patrol, and is one kind of place really worse?"""
