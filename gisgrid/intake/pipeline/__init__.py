"""What becomes of every row, from the file to the result?"""
