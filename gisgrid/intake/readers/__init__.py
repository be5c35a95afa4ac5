"""What kind of file is this, and how are its rows read without holding them all?"""
