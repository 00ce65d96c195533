"""What can go wrong, by name: each error carries the status and code of the contract."""


class JobthreadError(Exception):
    """A refusal that a client may read: `status`, `code` and `title` are fixed, the detail is not."""

    status = 500
    code = "internal"
    title = "Something went wrong on the server"

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title


class BadJson(JobthreadError):
    status, code, title = 400, "bad_json", "The body is not JSON"


class NotAuthenticated(JobthreadError):
    status, code, title = 401, "not_authenticated", "No valid session"


class BadCredentials(JobthreadError):
    status, code, title = 401, "bad_credentials", "E-mail or password is wrong"


class LinkInvalid(JobthreadError):
    status, code, title = 401, "link_invalid", "This link is not valid"


class LinkExpired(JobthreadError):
    status, code, title = 401, "link_expired", "This link has expired"


class LinkRevoked(JobthreadError):
    status, code, title = 401, "link_revoked", "This link was withdrawn"


class JobInactive(JobthreadError):
    status, code, title = 401, "job_inactive", "This job is closed"


class Forbidden(JobthreadError):
    status, code, title = 403, "forbidden", "Your role may not do this"


class WrongJob(JobthreadError):
    status, code, title = 403, "wrong_job", "Your link belongs to another job"


class BadSignature(JobthreadError):
    status, code, title = 403, "bad_signature", "The signature is not the provider's"


class CrossSite(JobthreadError):
    status, code, title = 403, "cross_site", "Requests from other sites are refused"


class NotFound(JobthreadError):
    """Also for what exists but may not be seen: the two answers are identical."""

    status, code, title = 404, "not_found", "Not found"


class MethodNotAllowed(JobthreadError):
    status, code, title = 405, "method_not_allowed", "This address does not answer to that method"


class ThreadClosed(JobthreadError):
    status, code, title = 409, "thread_closed", "The thread is closed"


class JobClosed(JobthreadError):
    status, code, title = 409, "job_closed", "The job is closed"


class NotFailed(JobthreadError):
    status, code, title = 409, "not_failed", "Only what was given up can be tried again"


class NothingWaits(JobthreadError):
    status, code, title = 409, "nothing_waits", "No customer waits for an answer in this thread"


class ClientMsgIdReused(JobthreadError):
    status, code, title = 409, "client_msg_id_reused", "This client_msg_id was used for another text"


class LastAdmin(JobthreadError):
    status, code, title = 409, "last_admin", "The last active admin stays"


class Taken(JobthreadError):
    """Another row bears this name already."""

    status, code, title = 409, "taken", "Already in use"


class BodyTooLarge(JobthreadError):
    status, code, title = 413, "body_too_large", "The body is too large"


class WrongContentType(JobthreadError):
    status, code, title = 415, "wrong_content_type", "Send application/json"


class Invalid(JobthreadError):
    """Well-formed, but not acceptable: names the field."""

    status, code, title = 422, "invalid", "The request is not acceptable"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.field = field
        self.message = message


class RateLimited(JobthreadError):
    status, code, title = 429, "rate_limited", "Too many requests"

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"Try again in {retry_after} s")
        self.retry_after = retry_after


class Unavailable(JobthreadError):
    """The store cannot take it now; nothing or everything was written: repeat with the same id."""

    status, code, title = 503, "unavailable", "The server cannot answer now"
    retry_after = 1
