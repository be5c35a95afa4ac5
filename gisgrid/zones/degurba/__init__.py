"""How urban is this ground, by the Degree of Urbanisation that statistical offices agreed on?"""
