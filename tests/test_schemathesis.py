import os, time, collections
from typing import Any
import pytest
from hypothesis import settings, HealthCheck
import schemathesis
from schemathesis import Case
from schemathesis.checks import CHECKS, load_all_checks
from tests.cast import Cast
from jobthread.api import openapi
from jobthread.api.routes import all_calls

t=time.time()
config = schemathesis.Config.from_dict({
  "seed": 1,
  "generation": {"max-examples": 12, "deterministic": True},
  "phases": {"coverage": {"enabled": True}, "examples": {"enabled": True}},
})
schema = schemathesis.openapi.from_dict(openapi.document(all_calls()), config=config)
COUNT=collections.Counter()
@schema.parametrize()
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_x(case: Case, cast: Cast) -> None:
    COUNT[case.operation.label, case.meta.phase.name.value]+=1
    r = case.call(base_url=cast.serving.url, cookies=dict(cast.ada.http.cookies))
    case.validate_response(r)

def test_zz():
    print(COUNT.total()); 
    for k,v in COUNT.items(): print(k,v)
    assert 0
