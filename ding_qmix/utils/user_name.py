"""Users without a name: containers often run under a number that no password file knows."""
import getpass
import os


def ensure_user_name() -> None:
    """
    Overview:
        Give a user without a name one, in the environment, or torch fails: it asks for the name when the first
        optimizer is made, for a cache folder.
    """
    try:
        getpass.getuser()
    except (KeyError, OSError):
        os.environ['USER'] = str(os.getuid())
