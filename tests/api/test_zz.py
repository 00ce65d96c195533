from tests.serving import browser
def test_a(server):
    b=browser(server)
    for m,p in [("PUT","/api/chat/threads"),("OPTIONS","/api/chat/threads"),("HEAD","/api/chat/threads"),("PUT","/api/jobs/1"),("OPTIONS","/api/jobs/1"),("OPTIONS","/"),("PUT","/api/docs"),("OPTIONS","/nope")]:
        r=b.request(m,p); print("ZZ",m,p,r.status_code,r.headers.get("allow"),r.text[:50])
