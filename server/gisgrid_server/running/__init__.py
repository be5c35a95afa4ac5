"""How does the server run: processes, health, numbers, lines, traces?"""
