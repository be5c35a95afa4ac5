"""Which windows in space and time hold more cases than chance would put there (Kulldorff's scan statistics)?"""
