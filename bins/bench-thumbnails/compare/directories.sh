# Sourced, after scripts/lib/tools.sh: where peers and photos are, outside the checkout.
peers="$cache_dir/compare/peers"
corpus="$cache_dir/compare/photos"
