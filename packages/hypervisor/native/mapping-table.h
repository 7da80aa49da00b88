#pragma once
#include <napi.h>

#include <functional>
#include <memory>
#include <unordered_map>

namespace bulkhead {

// Mappings of other domains' pages, each seen from JavaScript as an external ArrayBuffer. Used on the loop's thread.
//
// Why this cannot fault: a page goes away by `remove`, which detaches the buffer first (every view then reads length
// 0), or by the buffer's finalizer, which V8 runs when nothing can reach the memory any more or after Node has
// detached it at the environment's end. A buffer whose memory was transferred elsewhere is not found by `remove`, so
// its pages stay mapped until the new owner is collected.
class MappingTable : public std::enable_shared_from_this<MappingTable> {
   public:
	// Takes ownership of the mapping; `unmap` runs exactly once, at the latest at the end of the environment.
	Napi::ArrayBuffer add(Napi::Env env, void *address, size_t bytes, std::function<void()> unmap);
	// False when the buffer holds no live mapping of this table: already removed, moved away, or never ours.
	bool remove(Napi::ArrayBuffer buffer);

   private:
	struct Mapping {
		void *address;
		std::function<void()> unmap;
		std::weak_ptr<MappingTable> table;
		bool live = true;
		void end();
	};
	std::unordered_map<void *, std::shared_ptr<Mapping>> live_;
};

}  // namespace bulkhead
