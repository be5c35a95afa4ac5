"""Where does the town stop and the country begin, on every bearing from the centre?"""
