# SPDX-License-Identifier: Apache-2.0
# Completion of the command medulla for bash.

# Offers words for the last of a list with commas.
_medulla_list() {
  local before=
  [[ $current != *,* ]] || before=${current%,*},
  mapfile -t COMPREPLY < <(compgen -P "$before" -W "$1" -- "${current##*,}")
}

# Offers the families of kernels, or the rows of one.
_medulla_kernels() {
  local family=$1 words
  words=$("${COMP_WORDS[0]}" isa 2>/dev/null | awk -v family="$family" '
    /^[^ ]+ +takes / { within = $1 == family; if (family == "") print $1 "=" }
    /^    / && within && $1 != "no" { print $1 }')
  [[ -n $family ]] || compopt -o nospace 2>/dev/null
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "${current#=}")
}

_medulla() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
  local common='--isa --backends --strict --numerics --kernel --json --help'
  local options
  if ((COMP_CWORD == 1)); then
    mapfile -t COMPREPLY < <(compgen -W 'convert quantize inspect run compare bench verify isa --version --help' -- "$current")
    return
  fi
  case $previous in
    --numerics) mapfile -t COMPREPLY < <(compgen -W 'auto exact fast' -- "$current"); return ;;
    --method) mapfile -t COMPREPLY < <(compgen -W 'search mse min-max percentile entropy' -- "$current"); return ;;
    --isa)
      _medulla_list 'portable avx2 avxvnni avx512 avx512vnni avx512fp16 avx512bf16 amx_int8 amx_bf16
                     neon dotprod fp16 bf16 i8mm sve sve2 sha all'
      return ;;
    --backends) _medulla_list 'cpu reference'; return ;;
    --kernel) _medulla_kernels; return ;;
    --layout) mapfile -t COMPREPLY < <(compgen -W 'keep nhwc' -- "$current"); return ;;
  esac
  # An = is a word of its own.
  local at=$((COMP_CWORD - 1))
  [[ $current != = ]] || at=$COMP_CWORD
  if ((at >= 3)) && [[ ${COMP_WORDS[at]} == = && ${COMP_WORDS[at-2]} == --kernel ]]; then
    _medulla_kernels "${COMP_WORDS[at-1]}"
    return
  fi
  case ${COMP_WORDS[1]} in
    convert)
      options='--output --name --state --stream --max --fix-dim --fix --metadata --labels --preprocess
               --layout --no-pass --json --help' ;;
    quantize)
      options='--output --name --state --stream --max --fix-dim --fix --metadata --class-names
               --preprocess --layout --no-pass --calib --eval --labels --method --budget --sqnr --keep
               --weights --no-equalize --no-bias-correction --html --json --help' ;;
    inspect) options="--ops --tensors --plan --dot --html $common" ;;
    run) options="--input --zeros --output --dump --threads --check-finite $common" ;;
    compare)
      options="--input --seed --units --bound --max --fix-dim --reference --threads --check-finite
               $common" ;;
    bench)
      options="--input --output --warmup --runs --profile --against --threads --check-finite
               $common" ;;
    verify) options='--json --help' ;;
    isa) options='--isa --json --help' ;;
    *) options='' ;;
  esac
  if [[ $current == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "${current#*=}")
  fi
}
complete -o filenames -F _medulla medulla
