#!/usr/bin/env bash
# Gets every sound that `llark train mini` plays with: soundfonts and drum kits from Debian, recorded
# notes from npm. About 400 MB. What each may be used for is in docs/data.md. One soundfont, sonivox, is
# for the next training.
#
#   bash training/sounds.sh          as root, or with sudo at hand
#
# What comes from npm goes to $LLARK_SOUNDS, else to ~/.cache/llark/sounds.
set -eu

PACKAGES="fluid-soundfont-gm musescore-general-soundfont freepats opl3-soundfont minuet-data
  hydrogen-data hydrogen-drumkits"
INSTRUMENTS="bass-electric bassoon cello clarinet contrabass flute french-horn guitar-acoustic
  guitar-electric guitar-nylon harmonium harp organ piano saxophone trombone trumpet tuba violin
  xylophone"
SOUNDS="${LLARK_SOUNDS:-$HOME/.cache/llark/sounds}"
FOLDER="$SOUNDS/recordings"

command -v npm >/dev/null || PACKAGES="$PACKAGES npm"
SUDO=""
[ "$(id -u)" = 0 ] || SUDO="sudo"
# shellcheck disable=SC2086  # lists of words are meant
$SUDO apt-get install -y --no-install-recommends $PACKAGES

mkdir -p "$FOLDER"
cd "$FOLDER"
for name in $INSTRUMENTS; do
  if ! ls "tonejs-instrument-$name-mp3-"*.tgz >/dev/null 2>&1; then
    npm pack --silent "tonejs-instrument-$name-mp3"
  fi
done

if [ ! -e "$SOUNDS/sonivox.sf2" ]; then
  TEMPORARY="$(mktemp -d)"
  trap 'rm -rf "$TEMPORARY"' EXIT
  npm pack --silent --pack-destination "$TEMPORARY" @coderline/alphatab >/dev/null
  tar -xzf "$TEMPORARY"/coderline-alphatab-*.tgz -C "$TEMPORARY" package/dist/soundfont/sonivox.sf2
  mv "$TEMPORARY/package/dist/soundfont/sonivox.sf2" "$SOUNDS/sonivox.sf2"
fi
echo "$(ls ./*.tgz | wc -l) packages of recordings in $FOLDER"
