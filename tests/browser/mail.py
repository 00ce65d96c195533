"""What customers find in their mail."""

from jobthread import app
from jobthread.deliver import mailbox
from jobthread.entities import Job
from tests.cast import Cast
from tests.serving import wait_until


def mailed_link(cast: Cast, job: Job, but: str = "") -> str:
    """The newest link to this job that is not `but`: the folder also holds what was sent in earlier tests."""
    wait_until(lambda: _links(cast, job, but))
    return _links(cast, job, but)[0]


def _links(cast: Cast, job: Job, but: str) -> list[str]:
    items = mailbox.recent(app.outbox_folder(cast.serving.settings), 50)
    links = (link for item in items for link in item.links)
    return [link for link in links if f"?jobId={job.ref.id}&" in link and link != but]
