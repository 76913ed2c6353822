"""What a run shows on the terminal: compilation, one line of progress, where everything lies in the end."""
from ding_qmix.terminal import hooks
from ding_qmix.terminal.compile_line import COMPILE_LINE
from ding_qmix.terminal.run_terminal import TERMINALS, RunTerminal

__all__ = ['COMPILE_LINE', 'TERMINALS', 'RunTerminal', 'hooks']
