"""``extra`` of log lines that says whether they are for the terminal too; log files have all of them."""
TO_USER = {'to_user': True}  # what a user must see
DETAIL = {'detail': True}  # what the line of progress shows in its own way
