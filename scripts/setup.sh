# Sourced by ./run and ./test: sets up what is missing, and costs a few milliseconds where nothing is.
# Expects `set -euo pipefail` and the working directory at the top of the tree.

venv=.venv

# install_python run|dev: .venv with the locked requirements of that name and jobthread itself, editable.
# A stamp in .venv tells what is installed there; the lock keeps two set-ups at once apart.
install_python() {
    is_installed "$1" && return
    (
        flock 9
        is_installed "$1" && exit
        usable_venv || make_venv
        say "installing requirements/$1.txt"
        venv_pip install --quiet --require-hashes --requirement "requirements/$1.txt"
        say "building the web app and installing jobthread itself"
        venv_pip install --quiet --no-build-isolation --no-deps --editable .
        # Whatever runs the checks can serve as well: dev.txt holds all of run.txt, at the same versions.
        stamp run >"$venv/stamp-run"
        if [ "$1" = dev ]; then stamp dev >"$venv/stamp-dev"; fi
    ) 9<pyproject.toml
}

is_installed() {
    [ -f "$venv/stamp-$1" ] && [ "$(<"$venv/stamp-$1")" = "$(stamp "$1")" ]
}

# The folder belongs to it: a .venv does not survive being moved.
stamp() {
    local files=(pyproject.toml requirements/run.txt)
    if [ "$1" = dev ]; then files+=(requirements/dev.txt); fi
    echo "in $PWD"
    sha256sum "${files[@]}"
}

usable_venv() {
    [ -f "$venv/stamp-run" ] && [ "$(head -n 1 "$venv/stamp-run")" = "in $PWD" ] &&
        "$venv/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

make_venv() {
    local python
    python=$(find_python)
    say "making $venv with $("$python" --version)"
    rm -rf "$venv"
    if "$python" -c 'import ensurepip' 2>/dev/null; then
        "$python" -m venv "$venv"
    elif "$python" -m pip --version >/dev/null 2>&1; then
        "$python" -m venv --without-pip "$venv"
    elif may_install; then
        apt_install python3-venv
        "$python" -m venv "$venv"
    else
        fail "Python's venv is missing: apt-get install python3-venv"
    fi
}

find_python() {
    local name
    for name in python3 python3.11 python3.12 python3.13; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    fail "Python 3.11 or newer is missing: apt-get install python3 python3-venv"
}

# Where Debian's Python came without ensurepip, the system's pip works on .venv from outside.
venv_pip() {
    if [ -x "$venv/bin/pip" ]; then
        "$venv/bin/python" -m pip --disable-pip-version-check "$@"
    else
        "$(find_python)" -m pip --disable-pip-version-check --python "$venv/bin/python" "$@"
    fi
}

# The web app, built into the package from web/; a glance where it stands already.
build_web() {
    "$venv/bin/python" web/build.py >&2
}

# PostgreSQL's programs, for the tests; they start clusters of their own, so none is made here.
install_postgresql() {
    have_postgresql && return
    may_install || fail "PostgreSQL is missing, which the tests run against too: apt-get install postgresql"
    say "installing PostgreSQL"
    local no_cluster=/etc/postgresql-common/createcluster.d/jobthread-no-main-cluster.conf
    mkdir -p "${no_cluster%/*}"
    (
        trap 'rm -f "$no_cluster"' EXIT
        echo "create_main_cluster = false" >"$no_cluster"
        apt_install postgresql
    )
    have_postgresql || fail "PostgreSQL was installed, yet initdb and postgres are not found"
}

have_postgresql() {
    local folder
    for folder in /usr/lib/postgresql/*/bin "$(pg_config --bindir 2>/dev/null)" ${PATH//:/ }; do
        if [ -x "$folder/initdb" ] && [ -x "$folder/postgres" ]; then return; fi
    done
    return 1
}

# A C compiler, for the tests: a recorder of what reaches the disk is built where it is used.
install_compiler() {
    have_compiler && return
    may_install || fail "A C compiler is missing, which a test needs: apt-get install gcc libc6-dev"
    say "installing a C compiler"
    apt_install gcc libc6-dev
    have_compiler || fail "gcc was installed, yet cc does not compile"
}

have_compiler() {
    cc -fsyntax-only -x c - <<<'#include <dlfcn.h>' 2>/dev/null
}

# The browser in which the tests use the web app.
install_chromium() {
    have_chromium && return
    local packages=(chromium chromium-headless-shell)
    may_install || fail "Chromium is missing, in which the tests use the web app: apt-get install ${packages[*]}"
    say "installing Chromium"
    apt_install "${packages[@]}"
    have_chromium || fail "Chromium was installed, yet one of ${packages[*]} is not found"
}

have_chromium() {
    command -v chromium >/dev/null && command -v chromium-headless-shell >/dev/null
}

may_install() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null
}

apt_install() {
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq update </dev/null >/dev/null
    apt-get -qq install --yes --no-install-recommends "$@" </dev/null >/dev/null
}

say() { echo "set-up: $*" >&2; }

fail() {
    echo "set-up: $*" >&2
    exit 1
}
