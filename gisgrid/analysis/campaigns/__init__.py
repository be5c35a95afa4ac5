"""Did it help, and how long until the problem was back?"""
