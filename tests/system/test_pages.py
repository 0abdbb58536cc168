"""Every key that the code reads is on a manual page, and no other."""

import pathlib
import re

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
READ = re.compile(r'\b(?:read\w*|tables?|oneOrMore)\(\s*(?:reader,\s*)?"(\w+)"')
WITH_REQUIRED = re.compile(r'\breadAcmeProfile\(\w+, "(\w+)"')  # config/order_tables.cpp
PAGES = {"certmgr.toml.5": "TOP LEVEL", "certmgr-services.d.5": "KEYS"}


def keys_of_the_code():
    sources = [file.read_text() for file in (REPOSITORY / "certmgr/config").glob("*.cpp")]
    return {key for source in sources for key in READ.findall(source)} | {
        f"{key}_required" for source in sources for key in WITH_REQUIRED.findall(source)}


def keys_of(page, first_section):
    """The tags of its paragraphs from that section on, and the tables that are its headings."""
    text = (REPOSITORY / "rootfs/usr/share/man/man5" / page).read_text()
    keys = set()
    for section in re.split(r"^\.SH ", text[text.index(first_section):text.index(".SH EXAMPLE")], flags=re.MULTILINE):
        heading, *paragraphs = re.split(r"^\.TP\n", section, flags=re.MULTILINE)
        keys.update(part for table in re.findall(r"^\[+([\w.]+)\]+", heading) for part in table.split("."))
        for paragraph in paragraphs:
            keys.update(re.findall(r"\w+", paragraph.splitlines()[0].partition(" ")[2]))
    return keys


def test_the_pages_have_the_keys_of_the_code():
    documented = set().union(*(keys_of(*page) for page in PAGES.items()))
    assert documented == keys_of_the_code()


def test_every_list_of_key_algorithms_is_whole():
    files = [file for folder in ("rootfs", "certmgr/ctl", "certmgr/config") for file in (REPOSITORY / folder).rglob("*")
             if file.is_file()]
    lists = [line for file in files for line in file.read_text().replace("\\-", "-").splitlines() if "rsa-3072" in line]
    assert len(lists) >= 7
    assert not [line for line in lists if "rsa-4096" not in line]
