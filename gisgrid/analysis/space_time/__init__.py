"""What is new, what grows, what fades, and what comes soon after its like?"""
