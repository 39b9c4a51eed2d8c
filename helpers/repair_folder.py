"""Restore a folder of damaged pictures: what is done stays done, and what was left out is named.

The folder of results holds ``restore.json``, which says how they were made. A result that is younger than this file and
than its picture is done; so a run that was stopped goes on where it stopped, and ``force``, which writes the file anew,
does all again.
"""

import contextlib
import json
import os
from pathlib import Path
from typing import NamedTuple

from helpers import repair, writing
from helpers.files import make_folder, write_whole
from helpers.workers import Alone, Failed

SETTINGS = "restore.json"


class Summary(NamedTuple):
    """What became of the files of a folder."""

    restored: list  # names, relative to the folder
    done_before: list
    skipped: dict  # name: why
    notes: dict  # name: what should be known of this file, such as further pages that were left out
    stopped: bool = False  # by Ctrl-C


def repair_folder(folder, output, wishes, inputs=None, force=False, crew=None):
    """Restore every picture of a folder and of those below it into ``output``; return a :class:`Summary`.

    A picture keeps its name; one of a kind that cannot be written gets ``.png`` after it. Files that cannot be read or
    restored are skipped, and the summary says why. A full disk, or a folder that vanishes, ends the run with
    ``ValueError``: the pictures before it are whole, and the same call goes on.

    Parameters
    ----------
    folder, output : paths
        ``output`` may lie inside ``folder``, but must not be it.
    wishes : repair.Wishes
    inputs : dict from name to path, optional
        Files that belong to the settings (mask, kernel): they are not restored.
    force : bool
        Do all again, and replace what stands in the way.
    crew : optional
        Who restores, of ``helpers.workers.hands``; by default this process. Files are read and written here only.
    """
    from tqdm import tqdm

    folder, output, inputs = Path(folder), Path(output), inputs or {}
    if wishes.truth is not None:
        raise ValueError("truth: there is one for each picture, so a folder takes none")
    if repair.same_file(folder, output):
        raise ValueError(f"output {str(output)!r} is the folder of the pictures itself: choose another, or one in it")
    if (output.exists() and not output.is_dir()) or output.suffix.lower() in writing.KINDS:
        raise ValueError(f"output {str(output)!r} is a file, but the pictures of a folder go into a folder")
    names, left_out = _files(folder, output, inputs.values())
    if not names:
        raise ValueError(f"photo {str(folder)!r}: there is no file in this folder")
    targets = _targets(names)
    make_folder(output)
    since = _settle(output, targets.values(), _settings(wishes, inputs), force)
    summary = Summary([], [], left_out, {})
    asked = []  # names, in the order in which the crew got them
    with tqdm(total=len(names), unit="picture") as bar:

        def jobs():
            for name in names:
                bar.set_description(str(name))
                target = output / targets[name] if name in targets else None
                if _to_do(folder / name, target, name, since, summary):
                    asked.append(name)
                    yield folder / name, str(target), wishes
                else:
                    bar.update()

        try:
            for place, restored in (crew or Alone()).map(repair.restore_file, jobs()):
                name = asked[place]
                if isinstance(restored, Failed):
                    _skip(folder, name, restored.error, summary)
                else:
                    _write(folder / name, output, targets[name], name, restored, summary)
                bar.update()
        except KeyboardInterrupt:
            summary = summary._replace(stopped=True)
    return _sorted(summary, names)


def tell(summary, output, say=print):
    """Say what became of the files of a folder; raise ``ValueError`` if no picture could be restored."""
    for title, lines in (("notes on", summary.notes), ("skipped", summary.skipped)):
        if lines:
            say(f"{title} {len(lines)}:")
            say("\n".join(f"  {name}: {why}" for name, why in lines.items()))
    if summary.stopped:
        say("stopped: the same command goes on from here")
    elif not summary.restored and not summary.done_before:
        raise ValueError("no picture of the folder could be restored: the reasons stand above")
    say(f"restored {len(summary.restored)}, done before {len(summary.done_before)}, in {output}")


def _to_do(photo, target, name, since, summary):
    """Say whether a picture is still to be restored; if not, the summary says why."""
    if target is None:
        summary.skipped[str(name)] = "another picture has the same name but for its ending"
        return False
    with contextlib.suppress(OSError):  # a picture that is gone is told when it is to be read
        if target.exists() and target.stat().st_mtime_ns >= max(since, photo.stat().st_mtime_ns):
            summary.done_before.append(str(name))
            return False
    return True


def _skip(folder, name, error, summary):
    """Take note of a picture that could not be restored; raise where it is not the picture's fault."""
    if not isinstance(error, (ValueError, TypeError, MemoryError, FloatingPointError, OSError)):
        raise error
    if not folder.is_dir():
        raise ValueError(f"photo {str(folder)!r}: the folder has vanished. What was restored before is kept, and the "
                         "same command goes on when it is back") from None
    summary.skipped[str(name)] = str(error).removeprefix(f"path {str(folder / name)!r}").lstrip(": ")


def _write(photo, output, target, name, restored, summary):
    if not (output / SETTINGS).exists():
        raise ValueError(f"output {str(output)!r}: the folder has vanished while pictures were restored")
    target = output / target
    sheet = repair.sheet_of(target)
    for path in (target, sheet):
        if repair.same_file(path, photo):
            raise ValueError(f"output {str(path)!r} is the picture {str(photo)!r} itself, through a link")
    # what goes wrong from here on, such as a full disk, would go wrong with all that follow
    make_folder(target.parent)
    if restored.panels:
        repair.write_sheet(sheet, restored.panels)
    writing.write_picture(target, restored.x_hat, restored.form)  # last: where it stands, all is done
    summary.restored.append(str(name))
    notes = [note for note in (*restored.notes, writing.lost(target, restored.form)) if note]
    if notes:
        summary.notes[str(name)] = "; ".join(notes)


def _sorted(summary, names):
    """Return a summary in the order of the names, whoever was faster; folders that were left out come first."""
    place = {str(name): i for i, name in enumerate(names)}

    def before(name):
        return place.get(name, -1)

    return summary._replace(
        restored=sorted(summary.restored, key=before), done_before=sorted(summary.done_before, key=before),
        **{kind: dict(sorted(getattr(summary, kind).items(), key=lambda one: before(one[0])))
           for kind in ("skipped", "notes")})


def _files(folder, output, inputs):
    """Return the names of all files in a folder and below, sorted, and a dictionary of what was left out, and why.

    Hidden files, the results themselves, masks and kernels are nothing to speak of.
    """
    names, left_out = [], {}
    for place, below, files in os.walk(folder):
        here = Path(place).relative_to(folder)
        if place != str(folder) and SETTINGS in files:
            left_out[f"{here}{os.sep}"] = "holds the results of an earlier run"
            files, below[:] = [], []
        below[:] = [one for one in below if not one.startswith(".")
                    and not repair.same_file(Path(place) / one, output)]
        names += [here / one for one in files if not one.startswith(".") and one != SETTINGS
                  and not any(repair.same_file(Path(place) / one, path) for path in inputs)]
    return sorted(names), left_out


def _targets(names):
    """Return for each name that of its result; a name is missing where its result would be another's."""
    targets, taken = {}, set()
    for name in sorted(names, key=lambda one: one.suffix.lower() not in writing.KINDS):
        target = name if name.suffix.lower() in writing.KINDS else name.with_name(name.name + ".png")
        if str(target).lower() not in taken:  # many systems take A.PNG and a.png for one
            targets[name] = target
            taken.add(str(target).lower())
    return targets


def _settings(wishes, inputs):
    """Return what a result depends on, as it is written beside the results."""
    damage = wishes.damage
    return {
        "noise": "auto" if damage.sigma is None else f"{255 * damage.sigma:g}/255", "scale": damage.scale,
        "blur": damage.words.get("blur"), "mask": damage.words.get("mask means"), "method": wishes.method,
        "color": wishes.color, "white": wishes.white, "compare": wishes.compare,
        "sha256": {name: repair.digest(path) for name, path in inputs.items()},
    }


def _settle(output, targets, settings, force):
    """Write the settings beside the results, or find them there; return since when results are done."""
    path = output / SETTINGS
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        found = None
    except (OSError, ValueError) as error:
        found = {"cannot be read": str(error)}
    if not force and found is None:
        for target in targets:
            if (output / target).exists():
                raise ValueError(f"output {str(output / target)!r} is there already, and not from this command: choose "
                                 "another folder, or replace it with --force")
    if not force and found is not None and found != settings:
        other = [key for key in settings if found.get(key, "") != settings[key]]
        raise ValueError(f"output {str(output)!r} holds pictures that were restored otherwise ({', '.join(other)}): "
                         "choose another folder, or do all again with --force")
    if force or found is None:
        text = json.dumps(settings, indent=1, ensure_ascii=False)
        write_whole(path, lambda temporary: temporary.write_text(text + "\n", encoding="utf-8"))
    return path.stat().st_mtime_ns
