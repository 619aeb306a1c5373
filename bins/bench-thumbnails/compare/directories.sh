# Sourced after scripts/lib/tools.sh: directories of peers and photos, outside the checkout.
peers="$cache_dir/compare/peers"
corpus="$cache_dir/compare/photos"
