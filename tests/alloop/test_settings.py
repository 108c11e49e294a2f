"""The user's settings: where they are, what they may say, and whose they have to be."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from alloop.errors import SettingsError
from alloop.settings.example import EXAMPLE
from alloop.settings.profiles import Profile, Settings
from alloop.settings.settings_file import MAX_BYTES, find_profile, read_settings, settings_path


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Return a function that writes the user's settings as a text."""

    def write(text: str) -> Path:
        path = tmp_path / "settings.yaml"
        path.write_text(text)
        path.chmod(0o600)
        monkeypatch.setenv("ALLOOP_SETTINGS", str(path))
        return path

    return write


def test_the_file_lies_where_the_xdg_specification_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "/etc/mine")
    assert settings_path() == Path("/etc/mine/alloop/settings.yaml")
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative")  # invalid, and to be ignored
    monkeypatch.setenv("HOME", "/home/ada")
    assert settings_path() == Path("/home/ada/.config/alloop/settings.yaml")
    monkeypatch.setenv("ALLOOP_SETTINGS", "/srv/alloop.yaml")
    assert settings_path() == Path("/srv/alloop.yaml")


def test_without_a_file_the_default_profile_is_there_and_no_other(write) -> None:
    assert read_settings() == Settings()
    assert find_profile("default") == Profile()
    assert find_profile("default").vasp.command == ("vasp_std",)
    with pytest.raises(SettingsError, match=r"no profile 'cluster'; there are none.*--example"):
        find_profile("cluster")


def test_a_file_that_the_variable_names_has_to_be_there(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("ALLOOP_SETTINGS", str(tmp_path / "none.yaml"))
    with pytest.raises(SettingsError, match="there is no such file"):
        read_settings()


def test_the_example_is_read_and_has_every_key(write) -> None:
    write(EXAMPLE)
    cluster = find_profile("cluster")
    assert cluster.vasp.command == ("srun", "vasp_std")
    assert cluster.slurm.directives == {"constraint": "avx512", "exclusive": True}
    assert cluster.slurm.walltime.total_seconds() == 4 * 3600
    shown = yaml.safe_load(EXAMPLE)["profiles"]
    for name, section in Profile.model_fields.items():
        said = shown["cluster"].get(name) or shown["default"].get(name)
        assert said, name
        if name != "environment":
            annotation = section.annotation
            model = annotation if hasattr(annotation, "model_fields") else annotation.__args__[0]
            assert set(said) == set(model.model_fields), name


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        ({"vasp": {"command": "srun vasp_std"}}, r"vasp\.command.*write \['srun', 'vasp_std'\]"),
        ({"vasp": {"command": []}}, r"vasp\.command"),
        ({"vasp": {"command": ["srun", ""]}}, r"vasp\.command\.1"),
        ({"vasp": {"command": ["srun", 4]}}, r"vasp\.command\.1"),
        ({"vasp": {"command": ["a\nb"]}}, "line break"),
        ({"vasp": {"command": ["a\u2028b"]}}, "line break"),
        ({"vasp": {"poll": "3"}}, r"vasp\.poll"),
        ({"vasp": {"poll": 0}}, r"vasp\.poll"),
        ({"vasp": {"comand": ["x"]}}, r"unknown key 'comand'"),
        ({"gaussian": {}}, r"unknown key 'gaussian'"),
        ({"environment": {"A B": "x"}}, "environment"),
        ({"environment": {"A": "x\ny"}}, "line break"),
        ({"environment": {"A": 1}}, "environment"),
        ({"slurm": {"directives": {"wrap": "id"}}}, r"directives\.wrap"),
        ({"slurm": {"directives": {"prolog": "id"}}}, r"directives\.prolog"),
        ({"slurm": {"directives": {"constraint": "a b"}}}, r"directives\.constraint"),
        ({"slurm": {"directives": {"constraint": "a\n#SBATCH --wrap=id"}}}, "constraint"),
        ({"slurm": {"directives": {"exclusive": False}}}, "exclusive"),
        ({"slurm": {"partition": "batch\n#SBATCH --wrap=x"}}, "partition"),
        ({"slurm": {"partition": "batch\n"}}, "partition"),
        ({"slurm": {"account": "$(id)"}}, "account"),
        ({"slurm": {"memory": "much"}}, "memory"),
        ({"slurm": {"walltime": 3}}, "walltime"),
        ({"slurm": {"cores": True}}, "cores"),
        ({"dask": {"address": "somewhere"}}, "address"),
        ({"dask": {}}, "address"),
        ({"jobflow_remote": {"resources": {"nodes": [1]}}}, "resources"),
    ],
)
def test_what_cannot_be_meant_is_named_with_its_key(settings_of, profile, words) -> None:
    path = settings_of({"cluster": profile})
    with pytest.raises(SettingsError, match=words) as caught:
        read_settings()
    assert caught.value.where.startswith(str(path))


@pytest.mark.parametrize("name", ["a b", "", "../x", "x\n", "-x", "x" * 65])
def test_a_profile_has_a_plain_name(settings_of, name: str) -> None:
    settings_of({name: {}})
    with pytest.raises(SettingsError, match="profiles"):
        read_settings()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("profiles: {a: &x {}, b: *x}", r"references \(\*\)"),
        ("profiles: {a: {}, a: {}}", "'a' stands twice"),
        ("profiles: !!python/object/apply:os.system [id]", "python/object"),
        ("{[1]: 2}", "a key is a word"),
        ("profiles: [", "not readable as YAML"),
        ("[" * 5000, "not readable as YAML"),
        ("a: 2025-02-30", "not readable as YAML"),
        ("a: 2025-02-28", "no text, number, list or mapping"),
        ("a: .nan", "no text, number"),
        ("a: " + "9" * 5000, "not readable as YAML"),
        ("- a", "does not fit"),
        ("profile: {}", "unknown key 'profile'"),
        ("#" * (MAX_BYTES + 1), "bytes"),
    ],
)
def test_a_file_that_is_something_else_is_a_sentence(write, text: str, words: str) -> None:
    write(text)
    with pytest.raises(SettingsError, match=words):
        read_settings()


def test_bytes_that_are_no_text_are_a_sentence(write) -> None:
    write("").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="not readable as YAML"):
        read_settings()


def test_settings_that_others_may_change_are_not_believed(write) -> None:
    path = write("profiles: {}")
    for mode in (0o620, 0o602, 0o666):
        path.chmod(mode)
        with pytest.raises(SettingsError, match="chmod go-w"):
            read_settings()
    path.chmod(0o644)  # to be read by others is no harm
    assert read_settings() == Settings()


def test_settings_of_somebody_else_are_not_believed(write, monkeypatch) -> None:
    path = write("profiles: {}")
    if os.getuid() == 0:  # root's own files would be believed by everybody
        os.chown(path, 12345, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(SettingsError, match="somebody else"):
        read_settings()


def test_what_is_no_file_is_not_waited_for(write) -> None:
    path = write("")
    path.unlink()
    os.mkfifo(path, 0o600)
    with pytest.raises(SettingsError, match="this is no file"):
        read_settings()
    path.unlink()
    path.mkdir(0o700)
    with pytest.raises(SettingsError):
        read_settings()


def test_a_run_and_a_spec_are_read_without_the_settings() -> None:
    program = "import sys, alloop.loop.run_folder; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    loaded = done.stdout.decode().split()
    assert "alloop.settings.names" in loaded
    assert "alloop.settings.profiles" not in loaded
