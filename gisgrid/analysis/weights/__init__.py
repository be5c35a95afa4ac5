"""Who is next to whom, or near?"""
