# SPDX-License-Identifier: MIT
"""The mutant runner tells a caught mutant from a survivor, on a tree of one file."""
import os
import shutil
import subprocess

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FILES = {
    "meson.build": "project('sample', 'c')\nsubdir('src')\n",
    "meson_options.txt": "option('faults', type: 'boolean', value: false)\n",
    "src/meson.build": "test('adds', executable('test_adds', 'adds.c'), suite: 'unit', protocol: 'tap')\n"
                       "test('broken', find_program('false'), suite: 'unit')\n",
    "src/adds.c": '#include <stdio.h>\n\nint main(void)\n{\n\tint sum = 2 + 2;\n\tint spare = 1;\n\n'
                  '\tprintf("1..1\\n%s 1 - adds\\n", sum == 4 ? "ok" : "not ok");\n'
                  '\treturn sum == 4 ? 0 : spare;\n}\n',
}
PATCH = """# Breaks the sum.
# caught-by: %s
--- a/src/adds.c
+++ b/src/adds.c
@@ -2,7 +2,7 @@

 int main(void)
 {
-\tint sum = 2 + 2;
+\tint sum = %s;
 \tint spare = 1;

 \tprintf("1..1\\n%%s 1 - adds\\n", sum == 4 ? "ok" : "not ok");
"""
PATCH = PATCH.replace("\n\n", "\n \n")


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    root = tmp_path_factory.mktemp("sample")
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "tools").mkdir()
    for tool in ("build", "run-tests"):
        shutil.copy(os.path.join(TOP, "tools", tool), root / "tools" / tool)
    return root


def mutants(tree, tmp_path, **patches):
    for name, text in patches.items():
        (tmp_path / (name + ".patch")).write_text(text)
    done = subprocess.run([os.path.join(TOP, "tools", "run-mutants"), "--root", str(tree), "--patches",
                           str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout.decode()


def test_every_outcome(tree, tmp_path):
    code, text = mutants(tree, tmp_path,
                         caught=PATCH % ("unit/adds", "2 + 3"),
                         survivor=PATCH % ("unit/adds", "3 + 1"),
                         silly=PATCH % ("unit/adds", "2 +"),
                         stale=(PATCH % ("unit/adds", "2 + 3")).replace("2 + 2", "1 + 1"),
                         untested=(PATCH % ("unit/adds", "2 + 3")).replace("caught-by", "seen-by"))
    assert "mutant caught caught by unit/adds (adds)" in text
    assert "mutant survivor NOT caught: survived unit/adds" in text
    assert "mutant silly NOT caught: does not build" in text
    assert "mutant stale NOT caught: does not apply" in text
    assert "mutant untested NOT caught: names no test" in text
    assert text.splitlines()[-1] == "5 mutants, 1 caught, 4 survived"
    assert code == 1
    code, text = mutants(tree, tmp_path_only(tmp_path, "caught"))
    assert (code, text.splitlines()[-1]) == (0, "1 mutants, 1 caught, 0 survived")
    for test, why in (("unit/gone", "no test is chosen by unit/gone"), ("unit/broken", "this fails")):
        code, text = mutants(tree, tmp_path_only(tmp_path, test.replace("/", "-")),
                             named=PATCH % (test, "2 + 3"))
        assert code == 1 and why in text


def tmp_path_only(tmp_path, name):
    """A folder that holds that patch alone, if there is one."""
    folder = tmp_path / name
    folder.mkdir()
    patch = tmp_path / (name + ".patch")
    if patch.exists():
        shutil.copy(patch, folder)
    return folder
