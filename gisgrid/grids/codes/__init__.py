"""What does a code say, and which code does a unit get?"""
