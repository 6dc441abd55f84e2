#!/bin/sh
# Makes sequence_headers.txt: sequence headers as real encoders write them, and what ffprobe reads
# in them. Needs ffmpeg with libx264, libx265, libaom-av1 and libopus.
#
#   sh make.sh > sequence_headers.txt
#
# A line is: codec | arguments of ffmpeg | sequence header in hex | then for video: profile |
# level | size | frames per second, for audio: profile | sample rate | channels.
set -eu

clip=$(mktemp -d)
trap 'rm -r "$clip"' EXIT

# ffprobe's hex dump, without offsets and text.
hex() {
    ffprobe -v error -show_data -show_entries stream=extradata "$clip/$1" |
        sed -n 's/^[0-9a-f]\{8\}: \(.\{39\}\).*/\1/p' | tr -d ' \n'
}

video() { # codec, container, size, rate, arguments
    args="-f lavfi -i testsrc=s=$3:r=$4 -frames:v 3 $5"
    # shellcheck disable=SC2086 # arguments are meant to be split
    ffmpeg -v error -nostdin -y $args "$clip/v.$2"
    entries=$(ffprobe -v error -of default=noprint_wrappers=1 \
        -show_entries stream=profile,level,width,height,r_frame_rate "$clip/v.$2")
    value() { echo "$entries" | sed -n "s/^$1=//p"; }
    echo "$1|$args|$(hex "v.$2")|$(value profile)|$(value level)|$(value width)x$(value height)|$(value r_frame_rate)"
}

audio() { # codec, container, rate, channels, arguments
    args="-f lavfi -i sine=r=$3 -t 0.1 -ac $4 $5"
    # shellcheck disable=SC2086
    ffmpeg -v error -nostdin -y $args "$clip/a.$2"
    entries=$(ffprobe -v error -of default=noprint_wrappers=1 \
        -show_entries stream=profile,sample_rate,channels "$clip/a.$2")
    value() { echo "$entries" | sed -n "s/^$1=//p"; }
    echo "$1|$args|$(hex "a.$2")|$(value profile)|$(value sample_rate)|$(value channels)"
}

avc="-c:v libx264 -preset ultrafast -pix_fmt"
video avc mp4 1280x720 25 "-c:v libx264 -pix_fmt yuv420p -level 4.0"
video avc mp4 1920x1080 30000/1001 "-c:v libx264 -pix_fmt yuv420p"
video avc mp4 1920x1080 50 "-c:v libx264 -pix_fmt yuv420p -flags +ildct+ilme"
video avc mp4 854x480 24000/1001 "-c:v libx264 -pix_fmt yuv420p -profile:v main"
video avc mp4 426x240 15 "$avc yuv420p -profile:v baseline"
video avc mp4 176x144 10 "$avc yuv420p -profile:v baseline -level 1b"
video avc mp4 322x182 60 "$avc yuv420p -color_primaries bt709 -color_trc bt709 -colorspace bt709 -color_range tv"
video avc mp4 720x576 25 "$avc yuv420p -aspect 16:9"
video avc mp4 333x217 25 "$avc yuv444p"
video avc mp4 334x217 25 "$avc yuv422p"
video avc mp4 640x362 12 "$avc yuv420p10le"
video avc mp4 642x358 25 "-c:v libx264 -pix_fmt yuv420p -x264-params cqm=jvt"
video avc mp4 3840x2160 60000/1001 "$avc yuv420p"

hevc="-c:v libx265 -preset ultrafast -x265-params log-level=none:info=0 -pix_fmt"
video hevc mp4 1280x720 25 "$hevc yuv420p"
video hevc mp4 1920x1080 30000/1001 "-c:v libx265 -preset medium -x265-params log-level=none -pix_fmt yuv420p"
video hevc mp4 854x480 50 "$hevc yuv420p10le"
video hevc mp4 426x242 24000/1001 "-c:v libx265 -x265-params log-level=none:info=0:bframes=8:ref=5:hrd=1:vbv-bufsize=1000:vbv-maxrate=1000 -pix_fmt yuv420p"
video hevc mp4 334x218 25 "$hevc yuv422p"
video hevc mp4 333x217 25 "$hevc yuv444p"
video hevc mp4 640x360 25 "-c:v libx265 -x265-params log-level=none:info=0:scaling-list=default:temporal-layers=1 -pix_fmt yuv420p"
video hevc mp4 3840x2160 60 "-c:v libx265 -preset ultrafast -x265-params log-level=none:info=0:level-idc=5.1:high-tier=1 -pix_fmt yuv420p"

av1="-c:v libaom-av1 -cpu-used 8 -pix_fmt"
video av1 mp4 1280x720 25 "$av1 yuv420p"
video av1 mp4 854x480 30000/1001 "$av1 yuv420p10le"
video av1 mp4 322x182 60 "$av1 yuv444p"

audio aac flv 44100 2 "-c:a aac"
audio aac flv 44100 1 "-c:a aac"
audio aac flv 22050 2 "-c:a aac"
audio aac mp4 48000 6 "-c:a aac"
audio aac mp4 96000 8 "-c:a aac"
audio opus mkv 48000 2 "-c:a libopus"
audio opus mkv 48000 1 "-c:a libopus"
