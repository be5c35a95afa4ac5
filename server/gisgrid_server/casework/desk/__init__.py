"""What is on my desk, what may I do with it, and what did others do meanwhile?"""

from gisgrid_server.casework.desk.routes import desk_router

__all__ = ["desk_router"]
