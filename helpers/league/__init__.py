"""The league: every restoration method on every damage, over the same pictures, as one table.

``photographs`` holds the damages, methods and runs of the league of photographs, whose names readers import from here;
``digit_tasks`` and ``digit_league`` are those of the digits, ``robot_tasks`` and ``robot_league`` those of the robots,
``peers`` the methods of other libraries, ``record`` what a run has found so far, ``table`` the results as HTML.
"""

from helpers.league.photographs import (
    KINDS,
    METHODS,
    TASKS,
    Method,
    Row,
    Task,
    able,
    damage,
    folder_pictures,
    play,
    run,
    save,
    summarise,
)
from helpers.league.table import LeagueTable

__all__ = [
    "KINDS", "METHODS", "TASKS", "LeagueTable", "Method", "Row", "Task", "able", "damage", "folder_pictures", "play",
    "run", "save", "summarise",
]
