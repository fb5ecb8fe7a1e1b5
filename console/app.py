"""The console's entry: `streamlit run console/app.py` from the repository's root.

Serves the frame (`frame.py`) and five routes of its own: one turns a sign-in's ticket into an
HttpOnly cookie, which a Streamlit script cannot set; one is the map of the world; to one the
browser says that a headline is drawn; one leads from the first page's name to its address; one says
the figures of the Sales page to the proof.
"""

import sys
from pathlib import Path

# Now, not when the first table is drawn: a chart drawn in another thread meanwhile would find it
# half loaded, and fail.
import pandas  # noqa: F401
import streamlit as st

if (root := str(Path(__file__).resolve().parents[1])) not in sys.path:
    sys.path.insert(0, root)

from console import cookie, countries, figures, first_paint, pages
from console.boundary import last_resort
from console.queries import lake_rows
from console.settings import settings
from pipeline.runtime import logs

logs.configure(settings().log_level, service="console")

lake_rows.warm()

app = st.App(
    Path(__file__).with_name("frame.py"),
    routes=[
        *cookie.ROUTES,
        *countries.ROUTES,
        *first_paint.ROUTES,
        *pages.ROUTES,
        *figures.ROUTES,
    ],
    on_script_error=last_resort,
)

if __name__ == "__main__":
    app.run()
