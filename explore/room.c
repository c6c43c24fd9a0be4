extern int aiolab_room_explore; int aiolab_room_explore;
