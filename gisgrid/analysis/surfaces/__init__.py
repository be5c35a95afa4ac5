"""How thick do the reports lie on the ground?"""
