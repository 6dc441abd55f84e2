#!/bin/sh
# Makes clip.flv: one second of H.264 with B frames and a key frame in the middle, and AAC. Needs
# ffmpeg with libx264.
#
#   sh make_clip.sh clip.flv
set -eu

ffmpeg -v error -nostdin -y -bitexact \
    -f lavfi -i color=s=64x36:r=10 -f lavfi -i sine=r=8000 -t 1 \
    -c:v libx264 -preset fast -g 5 -bf 2 -x264-params threads=1:scenecut=0 \
    -c:a aac -b:a 8k -ac 1 -f flv "$1"
