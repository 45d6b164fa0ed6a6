# SPDX-License-Identifier: Apache-2.0
# Completion of the command medulla for bash.
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
    --layout) mapfile -t COMPREPLY < <(compgen -W 'keep nhwc' -- "$current"); return ;;
  esac
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
