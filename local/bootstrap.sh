#!/bin/sh
# Makes .venv from the lock files. Needs Python 3.11 or newer and either its venv
# module or pip; does nothing when .venv already holds what is locked.
#
#   local/bootstrap.sh [dev|fuzz]  dev: what tests and checks need, too;
#                                  fuzz: what fuzzing needs, into what is there
#
# PYTHON names the interpreter to use.
set -eu
cd "$(dirname "$0")/.."

venv=.venv
lock=requirements.lock
[ "${1:-}" = dev ] && lock=requirements-dev.lock
[ "${1:-}" = fuzz ] && lock=requirements-fuzz.lock
log=$venv/install.log

say() { printf '%s\n' "$*"; }
fail() { printf '%s\n' "$*" >&2; exit 1; }

# What .venv was made of: the folder, the interpreter, and the packages. A stamp
# is written last, so that an install which was cut off is done again.
stamp_of() { printf '%s\n' "$PWD" "$1"; cat "$1"; }
stamped() { [ -f "$venv/$1.stamp" ] && stamp_of "$1" | cmp -s - "$venv/$1.stamp"; }
works() { "$venv/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

if works && { stamped "$lock" || { [ "$lock" = requirements.lock ] && stamped requirements-dev.lock; }; }
then
    exit 0
fi

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        set -- "$PYTHON"
    else
        set -- python3 python3.14 python3.13 python3.12 python3.11 python
    fi
    for candidate in "$@"; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    fail "Python 3.11 or newer is needed, and ${PYTHON:-python3} is not. Install one, or name it: make up PYTHON=/path/to/python3"
}

# An environment of another folder or another Python is of no use.
if ! works || ! [ -f "$venv/home" ] || [ "$(cat "$venv/home")" != "$PWD" ]; then
    python=$(find_python)
    say "Making $venv with $("$python" --version)"
    rm -rf "$venv"
    # pip installs into another environment since 22.3; without that, the
    # environment gets a pip of its own, which only ensurepip can bring.
    if "$python" -m pip --python "$python" --version >/dev/null 2>&1; then
        "$python" -m venv --without-pip "$venv"
        printf '%s\n' "$python" >"$venv/pip-python"
    elif "$python" -c 'import ensurepip' 2>/dev/null; then
        "$python" -m venv "$venv"
    else
        fail "$python has neither pip nor ensurepip. On Debian and Ubuntu: apt install python3-pip (or python3-venv)"
    fi
    printf '%s\n' "$PWD" >"$venv/home"
fi

if [ -f "$venv/pip-python" ]; then
    pip() { PIP_USER=0 "$(cat "$venv/pip-python")" -m pip --python "$venv/bin/python" "$@"; }
else
    pip() { PIP_USER=0 "$venv/bin/python" -m pip "$@"; }
fi

total=$(grep -c "^[A-Za-z0-9]" "$lock" || true)
say "Installing $total packages from $lock"
: >"$log"
# A lock names every package: pip has nothing to resolve (and one is overridden).
pip install --disable-pip-version-check --no-input --no-deps --require-hashes -r "$lock" >"$log" 2>&1 &
installer=$!
trap 'kill "$installer" 2>/dev/null; wait "$installer" 2>/dev/null; exit 130' INT TERM HUP
while kill -0 "$installer" 2>/dev/null; do
    if [ -t 1 ]; then
        if grep -q '^Installing collected' "$log"; then
            printf '\r  unpacking …            '
        else
            printf '\r  %s of %s fetched ' "$(grep -c '^\(Collecting\|Requirement already\)' "$log")" "$total"
        fi
    fi
    sleep 0.5
done
[ -t 1 ] && printf '\r                         \r'
if ! wait "$installer"; then
    tail -n 15 "$log" >&2
    fail "The packages could not be installed; all of the output is in $log"
fi

# The project itself is imported from where it stands.
site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
printf '%s\n' "$PWD" "$PWD/gen/python" >"$site/creavio.pth"
cat >"$venv/bin/creavio" <<'SCRIPT'
#!/bin/sh
exec "$(dirname "$0")/python" -P -m local.cli "$@"
SCRIPT
chmod +x "$venv/bin/creavio"
"$venv/bin/python" -m compileall -q chassis edge gen/python local mesh services >/dev/null || true

stamp_of "$lock" >"$venv/$lock.stamp"
